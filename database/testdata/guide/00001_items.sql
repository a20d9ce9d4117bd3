-- +goose Up
CREATE TABLE items (
    id    BIGINT PRIMARY KEY,
    name  TEXT NOT NULL UNIQUE,
    stock BIGINT NOT NULL CHECK (stock >= 0)
);
INSERT INTO items VALUES (1, 'Lamp', 2), (2, '50% off', 1), (3, 'Anvil', 30);

-- +goose Down
DROP TABLE items;
