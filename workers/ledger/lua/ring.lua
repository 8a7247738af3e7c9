-- Queue one task: its record and its message in one step.
-- @include clock
-- @include task
-- @arguments task_id name id queue message
ring(task_id, name, id, now(), queue, message)
return 1
