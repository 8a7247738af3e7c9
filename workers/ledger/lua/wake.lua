-- What a run waits for has happened: it goes on at once, or as soon as its worker parks it. People
-- are not spoken for. Answers 'woken', 'noted', or 'over' when it no longer waits for that.
-- @include clock
-- @include keys
-- @include run
-- @include task
-- @arguments id name queue task_id message
local values = redis.call('HMGET', run_key(id), 'awaits', 'state')
if values[1] ~= name then return 'over' end
local at = now()
if values[2] == 'running' then
  redis.call('HSET', run_key(id), 'woken', '1')
  return 'noted'
end
if values[2] ~= 'waiting' or asks(id) then return 'over' end
redis.call('ZADD', KEY.DUE, text(at), id)
ring(task_id, 'advance', id, at, queue, message)
return 'woken'
