-- Give the lease back: the run goes on after `delay` milliseconds, on `queue`; at once when what
-- it waits for has happened meanwhile, or somebody wants it to end.
-- @include changed
-- @include clock
-- @include keys
-- @include move
-- @include run
-- @arguments id fence state delay queue why retries stages
if not holds(id, fence) then return 0 end
local at = now()
move(id, 'running', state, 'queue', queue, 'retries', retries, 'stages', stages)
if state == 'waiting' and redis.call('HDEL', run_key(id), 'woken') == 1 then delay = 0 end
if cancelled(id) then delay = 0 end
if why ~= '' then redis.call('HSET', run_key(id), 'error', why) end
redis.call('ZREM', KEY.LEASES, id)
redis.call('ZADD', KEY.DUE, text(at + tonumber(delay)), id)
changed(id, at)
return 1
