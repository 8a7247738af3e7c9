-- Remember what aliases and sites run and by which commit, all in one step, and add what is new to
-- their environment's history. What moved all at once is no longer put back then.
-- @include clock
-- @include keys
-- @include run
-- @arguments id fence environment kept *parts
if not holds(id, fence) then return 0 end
for i = 1, #parts, 2 do
  local place, what = parts[i], parts[i + 1]
  if redis.call('HGET', KEY.LIVE, place) ~= what then
    redis.call('HSET', KEY.LIVE, place, what)
    local record = cjson.decode(what)
    record.at = now()
    redis.call('LPUSH', KEY.RELEASED .. environment, cjson.encode(record))
  end
end
redis.call('HSET', run_key(id), 'recorded', 'yes')
redis.call('LTRIM', KEY.RELEASED .. environment, 0, tonumber(kept) - 1)
if redis.call('HEXISTS', run_key(id), 'rollout') == 0 then
  redis.call('HSET', run_key(id), 'unfinished', '')
end
return 1
