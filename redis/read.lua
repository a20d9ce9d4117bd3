-- Returns what the log of a room has after the id ARGV[1], at most ARGV[2]
-- messages. KEYS are those of publish.lua. ARGV[3] is how many milliseconds a
-- message is kept.
-- Returns the time, since when nothing was lost, the room's last id, and then the
-- id, the id before it and the data of each message.

local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
redis.call('SET', KEYS[3], string.format('%.0f', now), 'NX')
redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f', now - ARGV[3] * 1000))
local result = {string.format('%.0f', now), redis.call('GET', KEYS[3]), redis.call('GET', KEYS[2]) or '0'}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])) do
  result[#result + 1] = string.match(entry[1], '^%d+')
  result[#result + 1] = entry[2][2]
  result[#result + 1] = entry[2][4]
end
return result
