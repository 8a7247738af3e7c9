-- Park a run whose environment is locked, until it no longer is; at once when that is so already.
-- The older run at the same place gives way. `over` is that run, or nothing.
-- @include changed
-- @include clock
-- @include finish
-- @include keys
-- @include move
-- @include run
-- @arguments id fence environment delay stages place over notice
if not holds(id, fence) then return 0 end
local at = now()
local key = run_key(id)
local left = redis.call('PTTL', KEY.LOCKED .. environment)
delay = tonumber(delay)
if left == -2 or redis.call('HEXISTS', key, 'cancel') == 1 then delay = 0
elseif left >= 0 and left < delay then delay = left end
move(id, 'running', 'waiting', 'stages', stages)
redis.call('ZREM', KEY.LEASES, id)
redis.call('ZADD', KEY.DUE, text(at + delay), id)
if delay > 0 then
  redis.call('HSET', key, 'held', '1')
  redis.call('HSET', KEY.HELD .. environment, place, id)
end
changed(id, at)
if over ~= '' and held(over) then finish(over, 'waiting', at, 'superseded', '', notice) end
return 1
