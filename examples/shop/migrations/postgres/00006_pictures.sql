-- +goose Up
-- The key of the file in the folder of pictures, or NULL for none.
ALTER TABLE items ADD COLUMN picture TEXT;

-- +goose Down
ALTER TABLE items DROP COLUMN picture;
