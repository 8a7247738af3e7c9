-- What people are told of a change.
-- @include clock
-- @include keys

-- A change that people may see: its report to GitHub is due.
local function due_report(id, at)
  redis.call('HINCRBY', run_key(id), 'revision', 1)
  redis.call('ZADD', KEY.REPORTS, text(at), id)
end

-- The same, told at once to those who follow the run. They ask the run itself what is new, so one
-- entry will do; whoever follows after it is gone looks at the run first.
local function changed(id, at)
  due_report(id, at)
  redis.call('XADD', KEY.BELL .. id, 'MAXLEN', 1, '*', 'c', '1')
  redis.call('EXPIRE', KEY.BELL .. id, 600)
end
