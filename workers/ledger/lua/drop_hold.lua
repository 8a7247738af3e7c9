-- A rollback that can't be: its environment is as it was before, if nobody has changed that since.
-- @include clock
-- @include keys
-- @include let_go
-- @include run
-- @arguments id fence environment
if not holds(id, fence) then return 0 end
local key = KEY.LOCKED .. environment
local lock = redis.call('GET', key)
if not lock or cjson.decode(lock).run ~= id then return 1 end
local before = redis.call('HGET', run_key(id), 'lock_before')
if before and before ~= '' then
  redis.call('SET', key, before)
else
  redis.call('DEL', key)
  let_go(environment, now())
end
return 1
