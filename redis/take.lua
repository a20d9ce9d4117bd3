-- Charges ARGV[1] units to every quota, or to none. KEYS are the quotas' keys;
-- each has three arguments: algorithm, count, window in microseconds.
-- Returns 1 or 0 and then, for each quota: remaining, wait, reset.
--
-- A sliding window is kept as "time units time units ...", oldest first; GCRA as
-- "time spent". Times are microseconds of the server's clock.

local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local cost = tonumber(ARGV[1])
local slots = 8
local tiny = 1e-6 -- units; what is lost in divisions

-- Reads what is spent. A time that is still to come was written before the clock
-- went back: it counts as now, and is written so, or it would last for an hour.
local function load(key, algorithm, count, window)
  local text = redis.call('GET', key) or ''
  local b = {times = {}, units = {}, total = 0, moved = false}
  if algorithm == 1 then
    local at, spent = string.match(text, '^(%d+) ([%d.e+-]+)$')
    if at then
      at = tonumber(at)
      if at > now then at = now; b.moved = true end
      b.total = math.max(0, tonumber(spent) - (now - at) * count / window)
    end
    return b
  end
  for at, n in string.gmatch(text, '(%d+) (%d+)') do
    at, n = tonumber(at), tonumber(n)
    if at > now then at = now; b.moved = true end
    if now - at < window then
      b.times[#b.times + 1] = at
      b.units[#b.units + 1] = n
      b.total = b.total + n
    end
  end
  return b
end

local function wait(b, algorithm, count, window)
  local need = b.total + cost - count
  if need <= tiny then return 0 end
  if cost > count then return window end
  if algorithm == 1 then return math.ceil(need * window / count) end
  for i = 1, #b.times do
    need = need - b.units[i]
    if need <= 0 then return b.times[i] + window - now end
  end
  return window
end

local function spend(b, count, window, algorithm)
  b.total = b.total + cost
  if algorithm == 1 then return end
  local n = #b.times
  if n > 0 then
    local slice = window / (slots - 1)
    local last = b.times[n]
    if n >= slots or last == now or count > slots and math.floor(last / slice) == math.floor(now / slice) then
      b.times[n] = now
      b.units[n] = b.units[n] + cost
      return
    end
  end
  b.times[n + 1] = now
  b.units[n + 1] = cost
end

local function reset(b, algorithm, count, window)
  if algorithm == 1 then return math.ceil(b.total * window / count) end
  if #b.times == 0 then return 0 end
  return b.times[#b.times] + window - now
end

local function store(key, b, algorithm, count, window)
  local ms = math.ceil(reset(b, algorithm, count, window) / 1000)
  if ms <= 0 then return end
  local text
  if algorithm == 1 then
    text = string.format('%.0f %.17g', now, b.total)
  else
    local parts = {}
    for i = 1, #b.times do parts[i] = string.format('%.0f %.0f', b.times[i], b.units[i]) end
    text = table.concat(parts, ' ')
  end
  redis.call('SET', key, text, 'PX', string.format('%.0f', ms))
end

local allowed = 1
local budgets, waits = {}, {}
for i = 1, #KEYS do
  local algorithm, count, window = tonumber(ARGV[3*i-1]), tonumber(ARGV[3*i]), tonumber(ARGV[3*i+1])
  budgets[i] = load(KEYS[i], algorithm, count, window)
  waits[i] = wait(budgets[i], algorithm, count, window)
  if waits[i] > 0 then allowed = 0 end
end

local result = {allowed}
for i = 1, #KEYS do
  local algorithm, count, window = tonumber(ARGV[3*i-1]), tonumber(ARGV[3*i]), tonumber(ARGV[3*i+1])
  local b = budgets[i]
  if allowed == 1 then spend(b, count, window, algorithm) end
  if allowed == 1 or b.moved then store(KEYS[i], b, algorithm, count, window) end
  result[#result + 1] = math.max(0, math.floor(count - b.total + tiny))
  result[#result + 1] = waits[i]
  result[#result + 1] = reset(b, algorithm, count, window)
end
return result
