-- Keep a reporter's hold on its run for another while; 0 when it is lost.
-- @include keys
-- @arguments id token lock_ms
if redis.call('GET', KEY.REPORTING .. id) ~= token then return 0 end
redis.call('PEXPIRE', KEY.REPORTING .. id, lock_ms)
return 1
