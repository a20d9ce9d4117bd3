-- +goose Up
CREATE TABLE orders (
    id       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Whose data it is, and who ordered: ids out of the verified credential.
    tenant   TEXT NOT NULL CHECK (tenant <> ''),
    customer TEXT NOT NULL CHECK (customer <> ''),
    -- The item as it was: it may change or go.
    item_id  BIGINT NOT NULL,
    name     TEXT NOT NULL,
    price    TEXT NOT NULL,
    quantity BIGINT NOT NULL CHECK (quantity > 0),
    note     TEXT NOT NULL,
    status   TEXT NOT NULL CHECK (status IN ('open', 'sent', 'cancelled')),
    created  BIGINT NOT NULL
);

CREATE INDEX orders_of_customer ON orders (tenant, customer, id);

-- +goose Down
DROP TABLE orders;
