-- Keep a reporter's hold on its run for another while; 0 when it is lost.
-- @include keys
local id, token, lock_ms = unpack(ARGV)
if redis.call('GET', P .. 'reporting:' .. id) ~= token then return 0 end
redis.call('PEXPIRE', P .. 'reporting:' .. id, lock_ms)
return 1
