-- Park a run until people or its time limit wake it; the older candidate of the place it waits
-- for gives way. The place's name is `place`; `over` is the run that gives way, or nothing.
-- @include changed
-- @include clock
-- @include finish
-- @include keys
-- @include move
-- @include run
-- @arguments id fence delay stages place over notice
if not holds(id, fence) then return 0 end
local at = now()
local key = run_key(id)
move(id, 'running', 'waiting', 'stages', stages)
redis.call('HSETNX', key, 'waiting_since', text(at))
redis.call('HSET', key, 'wakes_at', text(at + tonumber(delay)))
redis.call('ZREM', KEY.LEASES, id)
-- Somebody has spoken since this visit began, or wants it to end: it looks again at once.
if redis.call('HDEL', key, 'woken') == 1 or cancelled(id) then delay = 0 end
redis.call('ZADD', KEY.DUE, text(at + tonumber(delay)), id)
redis.call('SET', KEY.WAITING .. place, id)
changed(id, at)
if over ~= '' and asks(over) then
  finish(over, 'waiting', at, 'superseded', '', notice)
end
return 1
