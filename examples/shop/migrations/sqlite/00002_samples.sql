-- +goose Up
INSERT INTO items (name, description, price, tax) VALUES
    ('Portcullis, small', 'Oak and iron, for garden gates. Chains not included.', '1250', '237.50'),
    ('Moat water, 1000 l', 'Murky. Delivered in barrels.', '89.90', '17.08'),
    ('Signal horn', 'Heard over two valleys on a still day.', '64', '12.16'),
    ('Arrow-slit curtain', 'Linen, narrow.', '18.40', '3.50'),
    ('Watchman''s lantern', 'Brass, with a shutter and a spare wick.', '42.50', '8.08'),
    ('Bread for the garrison', NULL, '0.1', '0.2');

-- +goose Down
DELETE FROM items WHERE id <= 6;
