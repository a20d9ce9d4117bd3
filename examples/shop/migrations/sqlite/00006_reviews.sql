-- +goose Up
CREATE TABLE reviews (
    -- AUTOINCREMENT: the id of a review that is gone never leads to another one.
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    item_id     INTEGER NOT NULL REFERENCES items (id) ON DELETE CASCADE,
    -- The id out of the verified credential, and the name as it was.
    author      TEXT NOT NULL CHECK (author <> ''),
    author_name TEXT NOT NULL,
    stars       INTEGER NOT NULL CHECK (stars BETWEEN 1 AND 5),
    title       TEXT NOT NULL,
    -- HTML, cleaned before it came here.
    text        TEXT NOT NULL,
    created     INTEGER NOT NULL,
    -- One review of an item by one user, however many requests come at once.
    UNIQUE (item_id, author)
) STRICT;

-- +goose Down
DROP TABLE reviews;
