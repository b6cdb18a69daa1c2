-- KServe calls a graph Ready as soon as the Deployment of its router has a status, whether that runs or not.
-- What it runs on is seen in the Deployment, which Argo CD shows below the graph.
if obj.status == nil or obj.status.conditions == nil then
  return {status = "Progressing", message = "KServe's controller has not looked at it yet"}
end

local result = {status = "Progressing", message = "its router has no status yet"}
for _, condition in ipairs(obj.status.conditions) do
  if condition.type == "Stopped" and condition.status == "True" then
    return {status = "Suspended", message = "stopped"}
  end
  if condition.type == "Ready" then
    if condition.status == "True" then
      result = {status = "Healthy", message = "Ready"}
    elseif condition.status == "False" then
      result = {status = "Degraded", message = condition.message or condition.reason or "not Ready"}
    end
  end
end
return result
