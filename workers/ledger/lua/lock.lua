-- Take a named lock for a run; it is free again as soon as its holder's lease is, or the moment is
-- over for which upkeep has it. What a lost worker has begun to move is its successor's first.
-- @include clock
-- @include keys
-- @include run
-- @arguments name id fence
local key = KEY.LOCK .. name
local holder = redis.call('HMGET', key, 'run', 'fence', 'until')
if holder[3] and tonumber(holder[3]) > now() then return 'upkeep' end
if holder[1] and not (holder[1] == id and holder[2] == fence) then
  if holds(holder[1], holder[2]) and leased(holder[1], now()) then return holder[1] end
  if holder[1] ~= id and unfinished(holder[1]) and not ended(holder[1]) then return holder[1] end
end
if not holds(id, fence) then return 'lost' end
redis.call('DEL', key)
redis.call('HSET', key, 'run', id, 'fence', fence)
return ''
