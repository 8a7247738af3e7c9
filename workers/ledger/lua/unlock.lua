-- Give a named lock back, if it is ours.
-- @include keys
-- @arguments name id fence
local key = KEY.LOCK .. name
local holder = redis.call('HMGET', key, 'run', 'fence')
if holder[1] == id and holder[2] == fence then redis.call('DEL', key) end
return 1
