-- Remember a look at an environment, unless a later one is known; it answers who asked before it.
-- @include keys
-- @arguments environment at what
local key = KEY.OBSERVED
local known = redis.call('HGET', key, environment)
if known and cjson.decode(known).at > tonumber(at) then return 0 end
redis.call('HSET', key, environment, what)
local asked = redis.call('GET', KEY.LOOK .. environment)
if asked and tonumber(asked) <= tonumber(at) then redis.call('DEL', KEY.LOOK .. environment) end
return 1
