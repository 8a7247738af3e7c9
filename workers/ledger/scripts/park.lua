-- Give the lease back: the run goes on after `delay` milliseconds, on `queue`.
local id, fence, state, delay, queue, why, retries, stages = unpack(ARGV)
if not holds(id, fence) then return 0 end
local at = now()
redis.call('HSET', run_key(id), 'state', state, 'queue', queue, 'retries', retries, 'stages', stages)
if why ~= '' then redis.call('HSET', run_key(id), 'error', why) end
redis.call('ZREM', P .. 'leases', id)
redis.call('ZADD', P .. 'due', text(at + tonumber(delay)), id)
changed(id, at)
return 1
