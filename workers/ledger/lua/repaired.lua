-- Add to an environment's history that an alias was put back to what the record says, if it still
-- says so.
-- @include clock
-- @include keys
-- @arguments place version environment what kept
local live = redis.call('HGET', KEY.LIVE, place)
if not live or cjson.decode(live).version ~= version then return 0 end
local record = cjson.decode(what)
record.at = now()
redis.call('LPUSH', KEY.RELEASED .. environment, cjson.encode(record))
redis.call('LTRIM', KEY.RELEASED .. environment, 0, tonumber(kept) - 1)
redis.call('HINCRBY', KEY.METRICS, 'aliases_repaired', 1)
return 1
