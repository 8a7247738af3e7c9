-- Unlock an environment: its lock, or nothing, and the runs that it held back. They are due now and
-- told why, or with `end_them` they end as cancelled.
-- @include clock
-- @include finish
-- @include keys
-- @include let_go
-- @arguments environment why end_them
local at = now()
local lock = redis.call('GET', KEY.LOCKED .. environment)
if not lock then return {''} end
redis.call('DEL', KEY.LOCKED .. environment)
local places = redis.call('HVALS', KEY.HELD .. environment)
local ids = let_go(environment, at)
for _, id in ipairs(ids) do
  if end_them == '1' then
    finish(id, 'waiting', at, 'cancelled', '', why)
  else
    redis.call('HSET', run_key(id), 'unlocked', why)
  end
end
if end_them == '1' then
  -- One whose worker is just looking whether it still is held.
  for _, id in ipairs(places) do
    if redis.call('HGET', run_key(id), 'state') == 'running' then
      redis.call('HSET', run_key(id), 'cancel', why)
      ids[#ids + 1] = id
    end
  end
end
table.insert(ids, 1, lock)
return ids
