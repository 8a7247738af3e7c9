-- Give a named lock back after upkeep, if it still is ours.
-- @include keys
-- @arguments name token
local key = KEY.LOCK .. name
if redis.call('HGET', key, 'token') == token then redis.call('DEL', key) end
return 1
