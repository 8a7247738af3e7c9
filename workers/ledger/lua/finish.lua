-- End a run with its verdict, if the lease still is ours; the same verdict again is fine.
-- @include clock
-- @include finish
-- @include keys
-- @include run
-- @arguments id fence state fault why stages
local values = redis.call('HMGET', run_key(id), 'fence', 'state')
if values[1] == fence and values[2] == state then return 1 end
if not holds(id, fence) then return 0 end
finish(id, 'running', now(), state, fault, why)
redis.call('HSET', run_key(id), 'stages', stages)
return 1
