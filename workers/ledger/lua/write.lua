-- Write fields of a run, if the lease still is ours; with a task, people see them: its report is
-- due, and rung for in the same step.
-- @include changed
-- @include clock
-- @include note
-- @include run
-- @include task
-- @arguments id fence task_id queue message *fields
if not holds(id, fence) then return 0 end
note(id, fields)
if task_id ~= '' then
  local at = now()
  changed(id, at)
  ring(task_id, 'report', id, at, queue, message)
end
return 1
