-- +goose Up
CREATE TABLE items (
    -- AUTOINCREMENT: the id of an item that is gone never leads to another one.
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    name        TEXT NOT NULL,
    description TEXT,
    -- Decimals as text: SQLite's own numbers would round them.
    price       TEXT NOT NULL,
    tax         TEXT,
    -- SHA-256 of the token that shows a draft. NULL: for sale.
    preview     BLOB
) STRICT;

CREATE INDEX items_for_sale ON items (id) WHERE preview IS NULL;

-- +goose Down
DROP TABLE items;
