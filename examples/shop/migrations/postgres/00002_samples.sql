-- +goose Up
INSERT INTO items (name, description, price, tax, tenant) VALUES
    ('Portcullis, small', 'Oak and iron, for garden gates. Chains not included.', '1250', '237.50', 'castle'),
    ('Moat water, 1000 l', 'Murky. Delivered in barrels.', '89.90', '17.08', 'castle'),
    ('Signal horn', 'Heard over two valleys on a still day.', '64', '12.16', 'castle'),
    ('Arrow-slit curtain', 'Linen, narrow.', '18.40', '3.50', 'castle'),
    ('Watchman''s lantern', 'Brass, with a shutter and a spare wick.', '42.50', '8.08', 'castle'),
    ('Bread for the garrison', NULL, '0.1', '0.2', 'castle');

-- +goose Down
DELETE FROM items WHERE id <= 6;
