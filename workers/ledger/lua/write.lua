-- Write fields of a run, if the lease still is ours; with a task, people see them: its report is
-- due, and rung for in the same step.
-- @include changed
-- @include clock
-- @include note
-- @include run
-- @include task
local id, fence, task, queue, message = unpack(ARGV, 1, 5)
if not holds(id, fence) then return 0 end
note(id, {unpack(ARGV, 6)})
if task ~= '' then
  local at = now()
  changed(id, at)
  ring(task, 'report', id, at, queue, message)
end
return 1
