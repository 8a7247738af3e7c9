-- Give a named lock back after upkeep, if it still is ours.
-- @include keys
local name, token = unpack(ARGV)
local key = P .. 'lock:' .. name
if redis.call('HGET', key, 'token') == token then redis.call('DEL', key) end
return 1
