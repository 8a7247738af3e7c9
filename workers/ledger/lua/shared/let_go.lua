-- The end of an environment's lock.
-- @include clock
-- @include keys
-- @include run

-- The lock of an environment is gone: the runs that it held back are due.
local function let_go(environment, at)
  local ids = {}
  for _, id in ipairs(redis.call('HVALS', KEY.HELD .. environment)) do
    if held(id) then
      redis.call('ZADD', KEY.DUE, text(at), id)
      ids[#ids + 1] = id
    end
  end
  redis.call('DEL', KEY.HELD .. environment)
  return ids
end
