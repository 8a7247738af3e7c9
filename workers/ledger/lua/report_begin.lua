-- One reporter per run at a time: the revision to report and what was told before.
-- @include keys
-- @arguments id token lock_ms
if not redis.call('SET', KEY.REPORTING .. id, token, 'NX', 'PX', lock_ms) then return {'', ''} end
local values = redis.call('HMGET', run_key(id), 'revision', 'told')
return {values[1] or '0', values[2] or '{}'}
