-- +goose Up
-- How many pieces there are. NULL: the item is made to order and never runs out.
-- The check is the last thing between two buyers and one piece.
ALTER TABLE items ADD COLUMN stock INTEGER CHECK (stock >= 0);
UPDATE items SET stock = 3 WHERE name = 'Signal horn';
UPDATE items SET stock = 40 WHERE name = 'Arrow-slit curtain';
UPDATE items SET stock = 12 WHERE name = 'Watchman''s lantern';

-- +goose Down
ALTER TABLE items DROP COLUMN stock;
