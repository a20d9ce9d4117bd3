-- +goose Up
CREATE TABLE items (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        TEXT NOT NULL,
    description TEXT,
    -- Decimals as text: as they were written, and as they are in SQLite.
    price       TEXT NOT NULL,
    tax         TEXT,
    -- What the seller paid for it. For administrators only.
    cost        TEXT,
    -- The id of the user who sells it; '' for what the shop itself sells.
    seller      TEXT NOT NULL DEFAULT '',
    -- The tenant whose administrators look after the item.
    tenant      TEXT NOT NULL DEFAULT '',
    draft       BOOLEAN NOT NULL DEFAULT FALSE
);

CREATE INDEX items_for_sale ON items (id) WHERE NOT draft;

-- +goose Down
DROP TABLE items;
