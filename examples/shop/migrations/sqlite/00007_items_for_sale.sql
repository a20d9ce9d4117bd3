-- +goose Up
-- As the statements say it, in both dialects: an index with another condition
-- would not be used.
DROP INDEX items_for_sale;
CREATE INDEX items_for_sale ON items (id) WHERE NOT draft;

-- +goose Down
DROP INDEX items_for_sale;
CREATE INDEX items_for_sale ON items (id) WHERE draft = 0;
