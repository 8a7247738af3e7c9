-- One reporter per run at a time: the revision to report and what was told before.
-- @include keys
local id, token, lock_ms = unpack(ARGV)
if not redis.call('SET', P .. 'reporting:' .. id, token, 'NX', 'PX', lock_ms) then return {'', ''} end
local values = redis.call('HMGET', run_key(id), 'revision', 'told')
return {values[1] or '0', values[2] or '{}'}
