-- +goose Up
-- The tenant whose administrators look after the item. What was there before is
-- that of the main branch.
ALTER TABLE items ADD COLUMN tenant TEXT NOT NULL DEFAULT '';
UPDATE items SET tenant = 'castle';

-- +goose Down
ALTER TABLE items DROP COLUMN tenant;
