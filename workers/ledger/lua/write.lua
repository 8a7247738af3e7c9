-- Write fields of a run, if the lease still is ours; with a task, people see them: its report is
-- due, and rung for in the same step.
local id, fence, task, queue, message = unpack(ARGV, 1, 5)
if not holds(id, fence) then return 0 end
for i = 6, #ARGV, 2 do redis.call('HSET', run_key(id), ARGV[i], ARGV[i + 1]) end
if task ~= '' then
  local at = now()
  changed(id, at)
  ring(task, 'report', id, at, queue, message)
end
return 1
