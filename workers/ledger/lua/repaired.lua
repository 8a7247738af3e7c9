-- Add to an environment's history that an alias was put back to what the record says, if it still
-- says so.
-- @include clock
-- @include keys
local place, version, environment, what, kept = unpack(ARGV)
local live = redis.call('HGET', P .. 'live', place)
if not live or cjson.decode(live).version ~= version then return 0 end
local record = cjson.decode(what)
record.at = now()
redis.call('LPUSH', P .. 'released:' .. environment, cjson.encode(record))
redis.call('LTRIM', P .. 'released:' .. environment, 0, tonumber(kept) - 1)
redis.call('HINCRBY', P .. 'metrics', 'aliases_repaired', 1)
return 1
