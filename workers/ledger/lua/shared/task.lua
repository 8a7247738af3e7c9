-- Queued tasks: what became of each, as people may ask.
-- @include clock
-- @include keys

local function task_is(key, state, ...)
  redis.call('HSET', key, 'state', state, ...)
end

-- Write down a queued task and put its message where the workers listen: they take it after those
-- that are there, or with `push` as RPUSH before them.
local function ring(task_id, name, id, at, queue, message, push)
  local key = KEY.TASK .. task_id
  task_is(key, 'queued', 'name', name, 'run', id, 'queued_at', text(at))
  redis.call('EXPIRE', key, 604800)
  redis.call(push or 'LPUSH', queue, message)
end
