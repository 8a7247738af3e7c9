-- Remember what aliases and sites run and by which commit, all in one step, and add what is new to
-- their environment's history. What moved all at once is no longer put back then.
-- @include clock
-- @include keys
-- @include run
local id, fence, environment, kept = unpack(ARGV, 1, 4)
if not holds(id, fence) then return 0 end
for i = 5, #ARGV, 2 do
  local place, what = ARGV[i], ARGV[i + 1]
  if redis.call('HGET', P .. 'live', place) ~= what then
    redis.call('HSET', P .. 'live', place, what)
    local record = cjson.decode(what)
    record.at = now()
    redis.call('LPUSH', P .. 'released:' .. environment, cjson.encode(record))
  end
end
redis.call('HSET', run_key(id), 'recorded', 'yes')
redis.call('LTRIM', P .. 'released:' .. environment, 0, tonumber(kept) - 1)
if redis.call('HEXISTS', run_key(id), 'rollout') == 0 then
  redis.call('HSET', run_key(id), 'unfinished', '')
end
return 1
