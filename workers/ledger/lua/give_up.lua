-- Take a run from a task whose process was ended, so that another visit need not wait until the
-- lease expires: `given back` counts as no loss, `lost` as the death of a worker.
-- @include changed
-- @include clock
-- @include keys
-- @include move
-- @include task
local task, how = unpack(ARGV)
local id = redis.call('HGET', P .. 'task:' .. task, 'run')
if not id then return '' end
local values = redis.call('HMGET', run_key(id), 'state', 'nonce', 'queue')
if values[1] ~= 'running' or values[2] ~= task then return '' end
local at = now()
if how == 'given back' then
  move(id, 'running', 'queued')
  redis.call('ZREM', P .. 'leases', id)
  redis.call('ZADD', P .. 'due', text(at), id)
  task_is(P .. 'task:' .. task, 'failed', 'outcome', 'ended', 'finished_at', text(at))
  changed(id, at)
else
  redis.call('ZADD', P .. 'leases', text(at - 1), id)
end
return values[3] or 'build'
