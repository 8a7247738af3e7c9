-- Remember what an alias runs and by which commit, and add it to its environment's history, once.
local id, fence, place, what, environment, kept = unpack(ARGV)
if not holds(id, fence) then return 0 end
if redis.call('HGET', P .. 'live', place) == what then return 1 end
redis.call('HSET', P .. 'live', place, what)
local record = cjson.decode(what)
record.at = now()
redis.call('LPUSH', P .. 'released:' .. environment, cjson.encode(record))
redis.call('LTRIM', P .. 'released:' .. environment, 0, tonumber(kept) - 1)
return 1
