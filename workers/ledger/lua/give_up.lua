-- Take a run from a task whose process was ended, so that another visit need not wait until the
-- lease expires: `given back` counts as no loss, `lost` as the death of a worker.
-- @include changed
-- @include clock
-- @include keys
-- @include move
-- @include task
-- @arguments task how
local id = redis.call('HGET', KEY.TASK .. task, 'run')
if not id then return '' end
local values = redis.call('HMGET', run_key(id), 'state', 'nonce', 'queue')
if values[1] ~= 'running' or values[2] ~= task then return '' end
local at = now()
if how == 'given back' then
  move(id, 'running', 'queued')
  redis.call('ZREM', KEY.LEASES, id)
  redis.call('ZADD', KEY.DUE, text(at), id)
  task_is(KEY.TASK .. task, 'failed', 'outcome', 'ended', 'finished_at', text(at))
  changed(id, at)
else
  redis.call('ZADD', KEY.LEASES, text(at - 1), id)
end
return values[3] or 'build'
