CREATE TABLE items (
    id    BIGINT PRIMARY KEY,
    name  TEXT NOT NULL UNIQUE,
    stock BIGINT NOT NULL CHECK (stock >= 0)
);
