-- Take a named lock for a moment's upkeep, which no run is at work at; 0 when it isn't free.
-- @include clock
-- @include keys
-- @include run
-- @arguments name token milliseconds
local key = KEY.LOCK .. name
local at = now()
local holder = redis.call('HMGET', key, 'run', 'fence', 'until', 'token')
if holder[1] and holds(holder[1], holder[2]) and leased(holder[1], at) then return 0 end
if holder[3] and tonumber(holder[3]) > at and holder[4] ~= token then return 0 end
redis.call('DEL', key)
redis.call('HSET', key, 'token', token, 'until', text(at + tonumber(milliseconds)))
return 1
