-- name: FindItem :one
SELECT id, name, stock FROM items WHERE id = $1;

-- name: SellItem :exec
UPDATE items SET stock = stock - 1 WHERE id = $1;
