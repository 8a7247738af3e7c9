-- Keep a lease alive, and hear whether the run, or its worker, is to end.
-- @include clock
-- @include keys
-- @include run
-- @arguments id fence lease_ms
if not holds(id, fence) then return {'lost', ''} end
redis.call('ZADD', KEY.LEASES, text(now() + tonumber(lease_ms)), id)
local why = redis.call('HGET', run_key(id), 'cancel')
if why then return {'cancel', why} end
local owner = redis.call('HGET', run_key(id), 'owner')
if redis.call('EXISTS', KEY.DRAIN .. owner) == 1 then return {'drain', ''} end
return {'kept', ''}
