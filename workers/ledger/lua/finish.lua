-- End a run with its verdict, if the lease still is ours; the same verdict again is fine.
local id, fence, state, fault, why, stages = unpack(ARGV)
local values = redis.call('HMGET', run_key(id), 'fence', 'state')
if values[1] == fence and values[2] == state then return 1 end
if not holds(id, fence) then return 0 end
redis.call('HSET', run_key(id), 'stages', stages)
finish(id, now(), state, fault, why)
return 1
