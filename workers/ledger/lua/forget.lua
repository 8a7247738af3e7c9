-- Drop an ended run and all that hangs on it; one that is still told to GitHub stays.
-- @include keys
local id = ARGV[1]
local key = run_key(id)
local values = redis.call('HMGET', key, 'finished_at', 'repository', 'branch', 'order_key')
if not values[2] then
  redis.call('ZREM', P .. 'runs', id)
  return 1
end
if not values[1] or redis.call('ZSCORE', P .. 'reports', id) then return 0 end
redis.call('ZREM', P .. 'runs', id)
redis.call('ZREM', values[2], id)
redis.call('ZREM', values[3], id)
if redis.call('EXISTS', values[3]) == 0 then
  redis.call('SREM', P .. 'branches', values[3])
  redis.call('HDEL', P .. 'tips', values[3])
end
if redis.call('GET', P .. 'order:' .. values[4]) == id then
  redis.call('DEL', P .. 'order:' .. values[4])
end
redis.call('DEL', key, P .. 'log:' .. id, P .. 'bell:' .. id, P .. 'parts:' .. id)
return 1
