-- +goose Up
-- The id of the user who sells it; '' for what the shop itself sells.
ALTER TABLE items ADD COLUMN seller TEXT NOT NULL DEFAULT '';
-- What the seller paid for it. For administrators only.
ALTER TABLE items ADD COLUMN cost TEXT;
-- Drafts belong to their seller now. Those that had only a token have none.
ALTER TABLE items ADD COLUMN draft INTEGER NOT NULL DEFAULT 0;
UPDATE items SET draft = 1 WHERE preview IS NOT NULL;
DROP INDEX items_for_sale;
ALTER TABLE items DROP COLUMN preview;
CREATE INDEX items_for_sale ON items (id) WHERE draft = 0;

-- +goose Down
DROP INDEX items_for_sale;
ALTER TABLE items ADD COLUMN preview BLOB;
UPDATE items SET preview = x'' WHERE draft = 1;
ALTER TABLE items DROP COLUMN draft;
ALTER TABLE items DROP COLUMN cost;
ALTER TABLE items DROP COLUMN seller;
CREATE INDEX items_for_sale ON items (id) WHERE preview IS NULL;
