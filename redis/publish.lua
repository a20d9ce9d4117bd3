-- Appends ARGV[1] to the log of a room and rings its bell, the channel ARGV[5].
-- KEYS: the log, the room's last id, and the time since which nothing was lost.
-- ARGV[2] is how many messages are kept, ARGV[3] for how many milliseconds, and
-- ARGV[4] for how many the last id is.
--
-- An id is a time of the server's clock in microseconds, and greater than the one
-- before. Each message is stored with the id before it, so that whoever reads can
-- tell whether something between is gone.

local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local id = math.max(now, last + 1)
local text = string.format('%.0f', id)
redis.call('SET', KEYS[3], string.format('%.0f', now), 'NX')
redis.call('XADD', KEYS[1], 'MAXLEN', ARGV[2], text .. '-0', 'before', string.format('%.0f', last), 'data', ARGV[1])
redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f', now - ARGV[3] * 1000))
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('SET', KEYS[2], text, 'PX', ARGV[4])
redis.call('PUBLISH', ARGV[5], '')
return text
