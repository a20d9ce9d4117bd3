-- +goose Up
CREATE TABLE reviews (
    id          BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    item_id     BIGINT NOT NULL REFERENCES items (id) ON DELETE CASCADE,
    -- The id out of the verified credential, and the name as it was.
    author      TEXT NOT NULL CHECK (author <> ''),
    author_name TEXT NOT NULL,
    stars       INTEGER NOT NULL CHECK (stars BETWEEN 1 AND 5),
    title       TEXT NOT NULL,
    -- HTML, cleaned before it came here.
    text        TEXT NOT NULL,
    created     BIGINT NOT NULL,
    -- One review of an item by one user, however many requests come at once.
    UNIQUE (item_id, author)
);

-- +goose Down
DROP TABLE reviews;
