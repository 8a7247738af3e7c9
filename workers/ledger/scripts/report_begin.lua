-- One reporter per run at a time: the revision to report and what was told before. None before
-- the time that GitHub asked for, or that the last failure's back-off set, whatever has changed.
local id, token, lock_ms = unpack(ARGV)
local pause = redis.call('HGET', run_key(id), 'report_after')
if pause and tonumber(pause) > now() then
  redis.call('ZADD', P .. 'reports', pause, id)
  return {'', ''}
end
if not redis.call('SET', P .. 'reporting:' .. id, token, 'NX', 'PX', lock_ms) then return {'', ''} end
local values = redis.call('HMGET', run_key(id), 'revision', 'told')
return {values[1] or '0', values[2] or '{}'}
