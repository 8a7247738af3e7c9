-- Keep a lease alive, and hear whether somebody asked for the run to end.
local id, fence, lease_ms = unpack(ARGV)
if not holds(id, fence) then return {'lost', ''} end
redis.call('ZADD', P .. 'leases', text(now() + tonumber(lease_ms)), id)
local why = redis.call('HGET', run_key(id), 'cancel')
if why then return {'cancel', why} end
return {'kept', ''}
