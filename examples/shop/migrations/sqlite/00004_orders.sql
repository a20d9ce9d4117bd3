-- +goose Up
CREATE TABLE orders (
    -- AUTOINCREMENT: the id of an order that is gone never leads to another one.
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    -- Whose data it is, and who ordered: ids out of the verified credential.
    tenant   TEXT NOT NULL CHECK (tenant <> ''),
    customer TEXT NOT NULL CHECK (customer <> ''),
    -- The item as it was: it may change or go.
    item_id  INTEGER NOT NULL,
    name     TEXT NOT NULL,
    price    TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    note     TEXT NOT NULL,
    status   TEXT NOT NULL CHECK (status IN ('open', 'sent', 'cancelled')),
    created  INTEGER NOT NULL
) STRICT;

CREATE INDEX orders_of_customer ON orders (tenant, customer, id);

-- +goose Down
DROP TABLE orders;
