-- Drop an ended run and all that hangs on it; one that is still told to GitHub stays.
-- @include keys
-- @arguments id
local key = run_key(id)
local values = redis.call('HMGET', key, 'finished_at', 'repository', 'branch', 'order_key')
if not values[2] then
  redis.call('ZREM', KEY.RUNS, id)
  return 1
end
if not values[1] or redis.call('ZSCORE', KEY.REPORTS, id) then return 0 end
redis.call('ZREM', KEY.RUNS, id)
redis.call('ZREM', values[2], id)
redis.call('ZREM', values[3], id)
if redis.call('EXISTS', values[3]) == 0 then
  redis.call('SREM', KEY.BRANCHES, values[3])
  redis.call('HDEL', KEY.TIPS, values[3])
end
if redis.call('GET', KEY.ORDER .. values[4]) == id then
  redis.call('DEL', KEY.ORDER .. values[4])
end
redis.call('DEL', key, KEY.LOG .. id, KEY.BELL .. id, KEY.PARTS .. id)
return 1
